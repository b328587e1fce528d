Feature: A judge that finds otherwise

  Scenario: nobody said that
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the bot greets within 20 s
    And the judge finds that "We are closed"
