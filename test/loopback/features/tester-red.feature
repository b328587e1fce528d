Feature: Steps about a tester that fail as they should
  Each scenario is named for the code that it has to end with.

  Scenario: ERR_GOAL_NOT_REACHED, the bot answers something else
    Given a bot that plays the script "test/loopback/scripts/slow.yaml"
    And the tester "test/loopback/personas/hasty.yaml"
    When the tester calls the bot
    Then the tester is stopped by its limit turns
    And the tester reaches its goal within 30 s
