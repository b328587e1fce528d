Feature: Calls that are cut off before they are answered

  Scenario: Nobody has answered yet
    Given a bot that plays the script "reception"
    And the bot does not answer the telephone
    When the caller dials the bot
    Then nobody answers
