Feature: Interruption
  A caller may cut the bot off, and a caller who only shows that he listens must not. One figure
  means little without the other: a bot that always stops is best at the first and worst at the
  second.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."

  Scenario: The bot stops when the caller interrupts
    And the caller interrupts with "Excuse me, may I ask something?" 2 s into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 2 s
    And the caller hears "Of course. What would you like to know?"

  Scenario: The bot goes on when the caller only says mm-hmm
    And the caller gives the backchannel "Mm-hmm." 2 s into the bot's answer
    Then the bot keeps speaking
