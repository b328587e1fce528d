Feature: Speech of the AI that comes too slowly
  These scenarios must not pass; test/loopback/playout-steps.test.ts sees to it. Each is named for the
  code that it must end with. What cannot be brought about over loopback is in
  test/unit/expect/stalls.test.ts.

  Background:
    Given a bot that plays the script "test/loopback/scripts/trickling.yaml" and lets the caller speak first

  Scenario: ERR_SPEECH_STALLED
    Given the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the bot answers within 8 s
    When the bot has finished speaking
    Then the bot's speech stalls at most 0 times

  Scenario: ERR_SPEECH_HELD
    Given the bot's injection buffer holds back 300 ms
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the bot answers within 8 s
    And the bot's speech is held back for at most 200 ms
