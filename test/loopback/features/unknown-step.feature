Feature: A misspelt step

  Scenario: Nobody knows what to do
    Given a bot that plays the tuba
