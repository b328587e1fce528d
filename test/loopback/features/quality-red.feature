Feature: Calls that do not sound as they should
  These scenarios must not pass; test/loopback/side-by-side/quality-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception"
    And the caller offers only the codec "PCMU"
    When the caller is in a call with the bot
    Then the bot greets within 5 s
    And the bot speaks for a while

  Scenario: ERR_QUALITY_POOR, too soft
    Given the recorded speech of the bot is amplified by -25 dB
    Then the bot's speech level is between -26 and -16 dBov

  Scenario: ERR_QUALITY_POOR, too loud
    Given the recorded speech of the bot is amplified by 15 dB
    Then the bot's speech level is between -26 and -16 dBov

  Scenario: ERR_QUALITY_POOR, noisy
    Given noise of -35 dBov lies over the recorded speech of the bot
    Then the bot's noise floor is at most -50 dBov

  Scenario: ERR_QUALITY_POOR, clipped
    Given the recorded speech of the bot is amplified by 20 dB
    Then no clipping is heard

  Scenario: ERR_QUALITY_POOR, cut
    Given 20 ms of the recorded speech of the bot are muted every second
    Then nothing is cut out of the bot's speech

  Scenario: ERR_QUALITY_POOR, a click
    Given the recorded speech of the bot jumps once in a hum
    Then no click is heard

  Scenario: ERR_QUALITY_POOR, narrow
    Then the call was really wideband

  Scenario: ERR_NOTHING_HEARD
    Given the recorded speech of the bot is amplified by -100 dB
    Then no clipping is heard

  Scenario: ERR_QUALITY_POOR, lossy
    When the caller hangs up
    Given 40 of the packets were lost, as recorded
    Then the estimated MOS is at least 4.3
