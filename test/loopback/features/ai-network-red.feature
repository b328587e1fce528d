Feature: Networks to the AI that do not do what was asked of them
  These scenarios must not pass; test/loopback/side-by-side/network-steps.test.ts sees to it. Each is
  named for the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by modelled TCP

  Scenario: ERR_AI_HELD_UP
    Given packets to the AI take 40 ms
    And the caller is in a call with the bot
    When all packets to the AI are lost for 800 ms
    And the caller says "Dial four two."
    Then nothing to the AI is held up for longer than 100 ms

  Scenario: ERR_NETWORK_HARMLESS, nothing held up
    Given the caller is in a call with the bot
    When the caller says "Dial four two."
    Then something to the AI is held up for at least 40 ms
