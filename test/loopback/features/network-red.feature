Feature: Networks that do not do what was asked of the call
  These scenarios must not pass; test/loopback/side-by-side/network-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_NETWORK_HARMLESS, never injured
    Given the caller is in a call with the bot
    When the caller hangs up
    Then the network lost at least 1 % of the packets to the caller

  Scenario: ERR_NETWORK_HARMLESS, injured the other way
    Given packets 1 to 20 from the caller are lost
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    And the caller hangs up
    Then the network lost at least 1 % of the packets to the caller

  Scenario: ERR_ABOVE_LIMIT, lost to the bot
    Given 30 % of the packets from the caller are lost
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    And the caller hangs up
    Then at most 10 % of the packets are lost

  Scenario: ERR_NETWORK_HARMLESS, no SIP message lost
    Given SIP messages to the caller take 5 ms
    And the caller is in a call with the bot
    When the caller hangs up
    Then the network lost at least 1 SIP message to the caller
