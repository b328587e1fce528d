Feature: Media
  The bot speaks more than the telephone's oldest codec. Whatever the two sides agree on, the caller
  must understand the bot, and the keys that are pressed must arrive.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: A wideband call
    Given the caller prefers the codecs "G722, PCMU"
    And the bot accepts only the codec "G722"
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    Then the caller hears "Dialling four two now."
    And the call uses the codec "G722"

  Scenario: An encrypted call
    Given the caller requires encrypted media with "AEAD_AES_256_GCM"
    And the bot allows encrypted media
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the media are encrypted with "AEAD_AES_256_GCM"
    And the bot hangs up within 6 s
    And at most 1 % of the packets are lost

  Scenario: Keys cross in three ways
    Given the caller is in a call with the bot
    When the caller presses "42#"
    Then the bot receives the digits "42#" within 2 s
    When the caller presses "17" in-band, each for 120 ms
    Then the bot receives the digits "17" in-band, each at least 80 ms long, within 2 s
    When the caller presses "*" by SIP INFO
    Then the bot receives the digits "*" by SIP INFO within 2 s
