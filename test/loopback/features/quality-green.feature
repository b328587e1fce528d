Feature: Calls that sound as they should

  Scenario: A narrow-band call
    Given a bot that plays the script "reception"
    And the caller offers only the codec "PCMU"
    When the caller is in a call with the bot
    Then the bot greets within 5 s
    When the caller says "What time is breakfast?"
    Then the bot answers within 5 s
    And the bot's speech level is between -30 and -14 dBov
    And the caller's speech level is between -30 and -14 dBov
    And the bot's noise floor is at most -50 dBov
    And no clipping is heard
    When the caller hangs up
    Then the estimated MOS is at least 1.5

  Scenario: A wideband call
    Given a bot that plays the script "reception"
    And the bot accepts only the codec "G722"
    And the caller offers only the codec "G722"
    When the caller is in a call with the bot
    Then the bot greets within 5 s
    When the caller says "What time is breakfast?"
    Then the bot answers within 5 s
    And the call was really wideband
