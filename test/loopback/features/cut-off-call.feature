Feature: Calls that are cut off

  Scenario: The bot is talking
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    Then the bot answers within 2 s
    And the caller hears "goodbye"

  Scenario: It never begins
    Given a bot that plays the script "reception"
