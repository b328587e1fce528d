Feature: Networks to the AI that cannot be
  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_IMPAIRMENT
    Given 120 % of the packets to the AI are lost

  Scenario: ERR_AI_PATH_MISSING
    Given the caller is in a call with the bot
    When 2 % of the packets from the AI are lost
