Feature: A language model that finds otherwise

  Scenario: ERR_JUDGED_FALSE, nobody said that
    Given a bot that plays the script "reception"
    And the tester "guest"
    When the tester calls the bot
    Then the judge finds that "Breakfast is served at noon"
