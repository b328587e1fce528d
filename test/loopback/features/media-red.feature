Feature: Media that are not what was asked for
  These scenarios must not pass; test/loopback/side-by-side/media-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_CODEC_DIFFERS
    Given the caller is in a call with the bot
    Then the call uses the codec "G722"

  Scenario: ERR_ENCRYPTION_DIFFERS, none where there should be
    Given the bot allows encrypted media
    And the caller is in a call with the bot
    Then the media are encrypted

  Scenario: ERR_ENCRYPTION_DIFFERS, another suite
    Given the caller requires encrypted media with "AES_CM_128_HMAC_SHA1_32"
    And the bot allows encrypted media
    And the caller is in a call with the bot
    Then the media are encrypted with "AES_CM_128_HMAC_SHA1_80"

  Scenario: ERR_ENCRYPTION_DIFFERS, where there should be none
    Given the caller allows encrypted media
    And the bot requires encrypted media
    And the caller is in a call with the bot
    Then the media are not encrypted

  Scenario: ERR_DIGITS_DIFFER, one is missing
    Given the caller is in a call with the bot
    When the caller presses "4"
    Then the bot receives the digits "42" within 200 ms

  Scenario: ERR_DIGITS_DIFFER, in another way
    Given the caller is in a call with the bot
    When the bot presses "4"
    Then the caller receives the digits "4" by SIP INFO within 200 ms

  Scenario: ERR_DIGIT_TOO_SHORT
    Given the caller is in a call with the bot
    When the caller presses "4" as telephone events, each for 60 ms
    Then the bot receives the digits "4" as telephone events, each at least 100 ms long, within 1 s

  Scenario: ERR_NO_ROUND_TRIP
    Given the bot sends no RTCP
    And the caller is in a call with the bot
    When the caller hangs up
    Then the round trip is at most 1 s

  Scenario: ERR_NOTHING_HEARD
    Given the caller is in a call with the bot
    When the caller hangs up
    Then the recorded counts say that nothing came
    And at most 100 % of the packets are lost

  Scenario: ERR_ABOVE_LIMIT, loss
    Given the caller is in a call with the bot
    When the caller presses "1"
    And the caller hangs up
    Then the recorded counts say that 7 packets were lost
    And at most 0.1 % of the packets are lost

  Scenario: ERR_ABOVE_LIMIT, concealment
    Given the caller is in a call with the bot
    When the caller presses "1"
    And the caller hangs up
    Then the recorded counts say that 7 packets were lost
    And at most 139 ms of audio is concealed

  Scenario: ERR_NOT_REJECTED
    When the caller dials the bot
    Then the call is refused as unsupported

  Scenario: ERR_CALL_UNSUPPORTED, and no step asks
    Given the caller offers only the codec "opus"
    And the bot accepts only the codec "PCMA"
    When the caller dials the bot
    And a step that takes a second

  Scenario: ERR_CALL_UNSUPPORTED, though an answer was expected
    Given the bot requires encrypted media
    When the caller dials the bot
    Then the call is answered within 2 s

  Scenario: ERR_CALL_UNSUPPORTED, where a step would misuse the call
    Given the bot accepts only the codec "G722"
    When the caller dials the bot
    And a step that takes a second
    And the caller presses "1"
