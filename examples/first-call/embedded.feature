Feature: The same scenario with the embedded bot, to see it pass

  Scenario: It answers and greets
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the call is answered within 3 s
    And the bot greets within 3 s
    When the caller hangs up
