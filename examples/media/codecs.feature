Feature: A bot that speaks every codec
  Each call is answered in the codec asked for, and the caller understands the bot.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot prefers the codecs "PCMU, PCMA, G722, opus, L16/16000"
    And the bot allows encrypted media

  Scenario Outline: The caller speaks <codec>
    Given the caller offers only the codec "<codec>"
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the call uses the codec "<codec>"
    And the bot hangs up within 6 s
    And at most 1 % of the packets are lost
    And at most 100 ms of audio is concealed

    Examples:
      | codec     |
      | PCMU      |
      | PCMA      |
      | G722      |
      | opus      |
      | L16/16000 |

  Scenario Outline: The caller encrypts with <suite>
    Given the caller requires encrypted media with "<suite>"
    And the caller is in a call with the bot
    When the caller presses "17"
    Then the bot receives the digits "17" within 2 s
    And the media are encrypted with "<suite>"

    Examples:
      | suite                   |
      | AES_CM_128_HMAC_SHA1_80 |
      | AES_CM_128_HMAC_SHA1_32 |
      | AES_256_CM_HMAC_SHA1_80 |
      | AEAD_AES_128_GCM        |
      | AEAD_AES_256_GCM        |

  Scenario: A caller with whom it has nothing in common
    Given the caller offers only the codec "L16/8000"
    When the caller dials the bot
    Then the call is refused as unsupported
