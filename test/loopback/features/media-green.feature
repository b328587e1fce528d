Feature: Media that are what was asked for

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: Everything is chosen
    Given the caller prefers the codecs "G722, PCMU"
    And the bot offers only the codec "g722"
    And the caller wants packets of 40 ms
    And the caller requires encrypted media
    And the bot allows encrypted media with "AES_256_CM_HMAC_SHA1_80, AEAD_AES_128_GCM"
    And the caller sends RTCP on a port of its own
    And the bot sends RTCP on the RTP port
    And the caller sends RTCP reports every 600 ms
    And the bot sends RTCP reports every 600 ms
    And the caller has a fixed jitter buffer of 200 ms
    And the caller offers comfort noise
    And the bot accepts no telephone events
    And the bot follows the source of the packets
    And the caller is in a call with the bot
    Then the call uses the codec "G722"
    And the media are encrypted
    And the media are encrypted with "AEAD_AES_128_GCM"
    When a step that takes a second
    And the bot presses "5" in-band, each for 400 ms
    Then the caller receives the digits "5" in-band, each at least 100 ms long, within 3 s
    And the round trip is at most 2 s
    When the caller hangs up
    Then at most 5 % of the packets are lost
    And at most 3 s of audio is concealed

  Scenario: Little is chosen
    Given the caller has an adaptive jitter buffer from 20 ms to 100 ms
    And the bot prefers the codecs "L16/16000, PCMA"
    And the caller is in a call with the bot
    Then the call uses the codec "PCMA"
    And the media are not encrypted

  Scenario: A codec of the Internet
    Given the caller offers only the codec "opus"
    And the bot prefers the codecs "opus, PCMU"
    And the caller is in a call with the bot
    Then the call uses the codec "opus"

  Scenario: A refusal that was expected
    Given the caller offers only the codec "G722"
    When the caller dials the bot
    Then the call is refused as unsupported

  Scenario: Hold, and another codec in the middle of a call
    Given the caller prefers the codecs "PCMU, G722"
    And the bot prefers the codecs "PCMU, G722"
    And the caller is in a call with the bot
    And the call uses the codec "PCMU"
    When the caller changes to the codec "G722"
    Then the call uses the codec "G722"
    When the caller puts the call on hold
    And the caller resumes the call
    And the caller presses "9"
    Then the bot receives the digits "9" within 2 s
