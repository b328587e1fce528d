Feature: The bot's own voice on the line, by either protocol
  A hybrid or a loudspeaker gives the bot its own words back. They are not the caller's.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller's line echoes at -20 dB after 40 ms
    And the caller is in a call with the bot

  Scenario: An echo does not interrupt the bot
    When the caller says "What time is breakfast?"
    Then the bot is not interrupted
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."

  Scenario: The caller does, echo or not
    When the caller says "Tell me about the hotel."
    And the caller interrupts with "Excuse me, may I ask something?" 2 s into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 3 s
    And the caller hears "Of course. What would you like to know?"

  Scenario: A word of assent does not
    When the caller says "Tell me about the hotel."
    And the caller gives the backchannel "Mm-hmm." 2 s into the bot's answer
    Then the bot keeps speaking
