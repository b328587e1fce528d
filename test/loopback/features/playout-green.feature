Feature: Speech of the AI that comes too slowly, and what a pre-buffer makes of it
  Background:
    Given a bot that plays the script "test/loopback/scripts/trickling.yaml" and lets the caller speak first

  Scenario: Held back for longer than is missing
    Given the bot's injection buffer holds back 1500 ms
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the bot answers within 8 s
    When the bot has finished speaking
    Then the bot's speech stalls at most 0 times
    And no stall of the bot's speech is longer than 0 ms
    And the bot's speech is held back for at most 1700 ms
    And gaps in the bot's speech last at most 400 ms in all
    And the bot's speech does not hurry after a stall

  Scenario: Adapted, and spoken slower
    Given the bot's injection buffer adapts up to 600 ms
    And the bot conceals stalls with slower speech
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the bot answers within 8 s
    When the bot has finished speaking
    Then the bot's speech stalls at most 9 times
    And the bot's speech is held back for at most 600 ms
