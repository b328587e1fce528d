Feature: Barge-in
  Two scenarios belong together: a bot that stops at every sound is best at the first and worst at
  the second.

  Background:
    Given a bot that plays the script "examples/barge-in/guide.yaml" and lets the caller speak first
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."

  Scenario: It stops for a caller who interrupts
    And the caller interrupts with "Excuse me, may I ask something?" 1500 ms into the bot's answer
    Then the bot stops speaking within 1200 ms
    And the bot answers within 2 s

  Scenario: It goes on for a caller who only listens
    And the caller gives the backchannel "Mm-hmm." 1500 ms into the bot's answer
    Then the bot keeps speaking
