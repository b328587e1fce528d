Feature: A language model judges calls

  Scenario: A tester's call, by its transcript
    Given a bot that plays the script "reception"
    And the tester "guest"
    When the tester calls the bot
    Then the judge finds that "Breakfast is served from seven until ten"

  Scenario: A scripted caller's call, by the same step
    Given a bot that plays the script "reception" and lets the caller speak first
    When the caller dials the bot
    And the caller says "What time is breakfast?"
    Then the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."
    And the judge finds that "Breakfast is served from seven until ten"
