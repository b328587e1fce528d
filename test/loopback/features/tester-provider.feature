Feature: A tester whom a provider's AI plays
  Nothing in here says who plays it: that stands in the environment.

  Scenario: It listens, breaks in, asks into silence, and gets what it wants
    Given a bot that plays the script "reception" and lets the caller speak first
    And the tester "test/loopback/personas/restless.yaml"
    When the tester calls the bot
    Then the tester reaches its goal within 60 s
    And the bot stops speaking within 1200 ms
    And the tester says "What time is breakfast?"
    And the bot says "Of course. What would you like to know?" to the tester

  Scenario: It loses its patience
    Given a bot that plays the script "test/loopback/scripts/mute.yaml" and lets the caller speak first
    And the tester "test/loopback/personas/restless.yaml"
    When the tester calls the bot

  @money
  Scenario: Its money is spent
    Given a bot that plays the script "reception" and lets the caller speak first
    And the tester "test/loopback/personas/thrifty.yaml"
    When the tester calls the bot
    Then the tester is stopped by its limit costUsd
