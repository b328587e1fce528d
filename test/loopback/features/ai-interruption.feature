Feature: Interruptions of the bot, by either protocol
  AI speech is made faster than it is spoken: an interruption may find it in the making, or long
  since made. The caller must not notice the difference.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: Early, in the first words, while the answer is being made
    Given the bot's AI sends speech at 1 times real time
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    And the caller interrupts with "Excuse me, may I ask something?" 300 ms into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 3 s
    And the caller hears "Of course. What would you like to know?"

  Scenario: Late, while the answer is still being made, and pieces of it come afterwards
    Given the bot's AI sends speech at 1.5 times real time
    And the bot's AI sends 3 pieces of audio after an interruption
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    And the caller interrupts with "Excuse me, may I ask something?" 5 s into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 4 s
    And the caller hears "Of course. What would you like to know?"

  Scenario: After all of the answer was made
    Given the bot's AI sends speech at 100 times real time
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    And the caller interrupts with "Excuse me, may I ask something?" 2 s into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 3 s
    And the caller hears "Of course. What would you like to know?"
