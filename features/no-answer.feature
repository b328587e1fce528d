Feature: A bot that does not answer the telephone

  Background:
    Given a bot that plays the script "reception"

  Scenario: The bot is busy
    Given the bot is busy
    When the caller dials the bot
    Then the call is rejected with 486

  Scenario: Nobody answers
    Given the bot does not answer the telephone
    When the caller dials the bot and lets it ring for 1 s
    Then nobody answers
