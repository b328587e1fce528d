Feature: Interruptions that the bot finds itself, by either protocol
  The provider says late that the caller speaks. The bot's own ear is quicker, and must not take the
  bot's echo for the caller.

  Scenario: The bot hears the caller, and not its own echo
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot listens for interruptions itself
    And the caller's line echoes at -20 dB after 40 ms
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot is not interrupted
    When the caller says "Tell me about the hotel."
    And the caller interrupts with "Excuse me, may I ask something?" 2 s into the bot's answer
    Then the bot stops speaking within 1 s
    And the bot notices the interruption itself
    And the bot answers within 3 s
    And the caller hears "Of course. What would you like to know?"
