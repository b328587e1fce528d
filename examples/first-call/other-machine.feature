Feature: A bot on another machine

  Scenario: It answers and greets
    Given the bot under test at "sip:bot@192.0.2.20:5060"
    When the caller dials the bot from the address "192.0.2.10"
    Then the call is answered within 3 s
    And the bot greets within 3 s
