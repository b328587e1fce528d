Feature: Media that cannot be asked for

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_UNKNOWN_CODEC
    Given the bot accepts only the codec "G729"

  Scenario: ERR_UNKNOWN_SRTP_SUITE
    Given the caller requires encrypted media with "ROT13"
    When the caller dials the bot

  Scenario: ERR_MEDIA_SETTINGS
    Given the caller wants packets of 25 ms
    When the caller dials the bot

  Scenario: ERR_MEDIA_SETTINGS, no codec
    Given the bot prefers the codecs ","

  Scenario: ERR_MEDIA_SETTINGS, a buffer upside down
    Given the caller has an adaptive jitter buffer from 200 ms to 40 ms
    When the caller dials the bot
