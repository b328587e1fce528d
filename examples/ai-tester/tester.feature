Feature: A tester calls
  The caller may be played by a model, with a persona and a goal. Offline a script plays it: two
  scripts then talk to each other over a real call, and the tester says what came of it.

  Scenario: A guest gets what he wants
    Given a bot that plays the script "reception"
    And the tester "guest"
    When the tester calls the bot
    Then the tester reaches its goal within 1 min
    And the bot says "Breakfast is served from seven until ten" to the tester
    And the bot calls the tool "send_dtmf" with:
      | digits | "42" |
