Feature: How the SIP of a whole run travels
  test/loopback/side-by-side/signalling-steps.test.ts runs this with --sip-transport tcp, --sip-ca and a certificate.

  Scenario: By TCP, although no step says so
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    Then the INVITE goes by TCP

  Scenario: By TLS, with the run's authority and certificate
    Given the bot listens on TLS with the certificate "fixtures/tls/bot.pem" and the key "fixtures/tls/bot.key"
    And the bot requires a client certificate of the authority in "fixtures/tls/ca.pem"
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    Then the INVITE goes by TLS
