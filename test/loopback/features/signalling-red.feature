Feature: Signalling that is not what was asked for
  These scenarios must not pass; test/loopback/side-by-side/signalling-steps.test.ts sees to it. Each is named for
  the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_TRANSPORT_DIFFERS, by UDP
    Given the caller is in a call with the bot
    Then the INVITE goes by TLS

  Scenario: ERR_TRANSPORT_DIFFERS, over IPv4
    Given the caller uses TCP
    And the caller is in a call with the bot
    Then the INVITE goes over IPv6

  Scenario: ERR_CALL_ENDED_EARLY, the INVITE never left
    Given the caller uses the outbound proxy "sip:127.0.0.1:9;transport=tcp"
    When the caller dials the bot
    Then the INVITE goes by TCP

  Scenario: ERR_TEXT_NOT_RECEIVED, another text in the call
    Given the caller is in a call with the bot
    When the caller sends the message "One"
    Then the bot receives the message "Two" within 500 ms

  Scenario: ERR_TEXT_NOT_RECEIVED, the other side
    Given the caller is in a call with the bot
    When the caller sends the message "One"
    Then the caller receives the message "One" within 500 ms

  Scenario: ERR_TEXT_NOT_RECEIVED, outside of a call
    Given the caller is in a call with the bot
    When the caller sends the message "One"
    Then the bot receives the message "One" outside of a call within 500 ms

  Scenario: ERR_OPTIONS_ANSWER, another status
    Given the caller is in a call with the bot
    When the caller asks the other side for its capabilities
    Then the bot answers OPTIONS with 486 within 500 ms

  Scenario: ERR_OPTIONS_ANSWER, nobody asked
    Given the caller is in a call with the bot
    Then the bot says that it allows INVITE within 500 ms

  Scenario: ERR_OPTIONS_ANSWER, a method that it has not
    Given the caller is in a call with the bot
    When the caller asks the other side for its capabilities
    Then the bot says that it allows PUBLISH within 500 ms

  Scenario: ERR_SIP_CREDENTIALS_REFUSED
    Given a registrar of ours that demands the account "caller" with the password in "SIDETONE_TEST_PASSWORD"
    And the caller has the account "caller" with the password in "SIDETONE_WRONG_PASSWORD"
    When the caller registers at our registrar
    Then the caller is registered within 2 s

  Scenario: ERR_REGISTRATION_NOT_REFUSED, it is taken
    Given a registrar of ours
    When the caller registers at our registrar
    Then the registration of the caller is refused with 401 within 2 s

  Scenario: ERR_REGISTRATION_NOT_REFUSED, by another code
    Given a registrar of ours that demands the account "caller" with the password in "SIDETONE_TEST_PASSWORD"
    When the caller registers at our registrar
    Then the registration of the caller fails with "ERR_SIP_CREDENTIALS_REFUSED" within 2 s

  Scenario: ERR_STILL_REGISTERED
    Given a registrar of ours
    When the caller registers at our registrar
    And the caller is registered within 2 s
    Then the caller is not registered any more within 200 ms

  Scenario: ERR_NOT_BOUND
    Given a registrar of ours
    When the caller registers at our registrar
    And the caller is registered within 2 s
    Then the bot is registered at our registrar as "nobody" within 500 ms

  Scenario: ERR_NOT_RECONNECTED, no such request
    Given the caller uses TCP
    And the caller is in a call with the bot
    When the SIP connection of the caller breaks
    Then the caller sends its UPDATE by a new connection within 500 ms

  Scenario: ERR_NOT_RECONNECTED, nothing broke
    Given the caller uses TCP
    And the caller is in a call with the bot
    When the caller updates the call
    Then the caller sends its UPDATE by a new connection within 500 ms
