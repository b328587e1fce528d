Feature: Transports, TLS, broken connections
  Scenarios that must pass; test/loopback/side-by-side/signalling-steps.test.ts runs them. The certificates in
  fixtures/tls are published, so they prove nothing elsewhere.

  Scenario: A call by TCP, and a text in each direction
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TCP
    And the caller is in a call with the bot
    Then the INVITE goes by TCP
    When the caller sends the message "Ticket 4711, please."
    Then the bot receives the message "Ticket 4711, please." within 2 s
    When the bot sends the message "Dank für alles: 三"
    Then the caller receives the message "Dank für alles: 三" within 2 s

  Scenario: The caller's choice counts where the target says nothing
    Given the caller uses TCP
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    Then the INVITE goes by TCP

  Scenario: TLS with an authority of one's own, and certificates on both sides
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    And the bot requires a client certificate of the authority in "fixtures/tls/ca.pem"
    And the caller trusts the authority in "fixtures/tls/ca.pem"
    And the caller shows the certificate "fixtures/tls/caller.pem" with the key "fixtures/tls/caller.key"
    And the caller is in a call with the bot
    Then the INVITE goes by TLS

  Scenario: A caller without a certificate is not let in
    Given the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    And the bot requires a client certificate of the authority in "fixtures/tls/ca.pem"
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller trusts the authority in "fixtures/tls/ca.pem"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_TLS_CLIENT_CERTIFICATE_REFUSED" within 5 s

  Scenario: An expired certificate
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/expired.pem" and the key "fixtures/tls/expired.key"
    And the caller trusts the authority in "fixtures/tls/ca.pem"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_TLS_CERTIFICATE_EXPIRED" within 5 s

  Scenario: The same, where the caller takes any
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/expired.pem" and the key "fixtures/tls/expired.key"
    And the caller takes any certificate
    And the caller is in a call with the bot
    Then the INVITE goes by TLS

  Scenario: A certificate for another name, and for the one that is expected
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    And the caller trusts the authority in "fixtures/tls/ca.pem"
    And the caller expects a certificate for "elsewhere.example"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_TLS_NAME_MISMATCH" within 5 s
    Given the caller expects a certificate for "bot.example"
    And the caller is in a call with the bot
    Then the INVITE goes by TLS

  Scenario: An authority that nobody trusts
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_TLS_CERTIFICATE_UNTRUSTED" within 5 s

  Scenario: IPv6
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on IPv6
    And the caller is in a call with the bot
    Then the INVITE goes over IPv6
    And the INVITE goes by UDP

  Scenario: An outbound proxy that is not there
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller uses the outbound proxy "sip:127.0.0.1:9;transport=tcp"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_CONNECTION_REFUSED" within 5 s

  Scenario: A WebSocket server that is not there
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller uses the WebSocket server "ws://127.0.0.1:9/ws"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_CONNECTION_REFUSED" within 5 s

  Scenario: A connection of the caller that breaks in mid-call
    Given the caller uses TCP
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    When the SIP connection of the caller breaks
    And the caller updates the call
    Then the caller sends its UPDATE by a new connection within 2 s
    And the fault "dropped connection" happens at least 1 time within 1 s
    When the caller hangs up
    Then the call ends at the bot with "bye" within 2 s

  Scenario: A connection of the bot that breaks in mid-call
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TCP
    And the caller is in a call with the bot
    When the SIP connection of the bot breaks
    And the bot updates the call
    Then the bot sends its UPDATE by a new connection within 2 s

  Scenario: A connection by TLS that breaks in mid-call
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    And the caller trusts the authority in "fixtures/tls/ca.pem"
    And the caller is in a call with the bot
    When the SIP connection of the caller breaks
    And the caller sends the message "Still there?"
    Then the caller sends its MESSAGE by a new connection within 2 s
