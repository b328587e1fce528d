Feature: My bot answers the telephone

  Background:
    Given the bot under test at "sip:bot@127.0.0.1:5060"

  Scenario: It answers and greets
    When the caller dials the bot
    Then the call is answered within 3 s
    And the bot greets within 3 s
    When the caller hangs up
