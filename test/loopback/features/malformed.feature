Feature: This is no Gherkin

  Scenario: A step without its keyword
    Given a bot that plays the script "reception"
    The caller dials the bot
