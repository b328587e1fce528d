Feature: Faults that prove nothing
  Each scenario is named for the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_FAULT_NOT_INJECTED
    Given every BYE of the bot is lost
    And the caller is in a call with the bot
    When the caller hangs up
    Then the call ends at the bot with "bye" within 2 s

  Scenario: ERR_FAULT_LIMIT, none
    Given the first 0 BYE of the caller are lost

  Scenario: ERR_FAULT_LIMIT, too late
    Given the bot sends its answer 600 s late
