Feature: Sound that cannot be asked for

  Background:
    Given a bot that plays the script "reception"
    When the caller is in a call with the bot

  Scenario: ERR_LEVELS_SWAPPED
    Then the bot's speech level is between -16 and -26 dBov

  Scenario: ERR_CALL_STILL_UP
    Then the estimated MOS is at least 4
