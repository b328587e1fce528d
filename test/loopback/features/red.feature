Feature: A broken bot turns the run red
  These scenarios must not pass; test/loopback/cli.test.ts sees to it.

  Background:
    Given a bot that plays the script "test/loopback/scripts/wrong.yaml" and lets the caller speak first
    And the caller is in a call with the bot

  Scenario: Too slow
    When the caller says "What time is breakfast?"
    Then the bot answers within 1 s

  Scenario: The wrong words
    When the caller says "What time is breakfast?"
    Then the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."

  @broken
  Scenario: A phrase that is no fixture
    When the caller says "What is the weather like?"
