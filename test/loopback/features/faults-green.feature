Feature: Faults that a scenario asks for, and what our bot does about them

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: No ACK
    Given the caller sends no ACK
    When the caller dials the bot
    Then the call is answered within 2 s
    And the bot repeats its 200 at least 2 times within 4 s
    And the fault "no ACK" happens at least 2 times within 1 s
    When the caller hangs up
    Then the call ends at the bot with "bye" within 2 s

  Scenario: A late ACK
    Given the caller sends its ACK 900 ms late
    When the caller dials the bot
    Then the bot repeats its 200 at least 1 time within 4 s
    And the fault "late ACK" happens at least 1 time within 1 s
    When the caller hangs up
    Then the call ends at the bot with "bye" within 2 s

  Scenario: A lost BYE
    Given the first 2 BYE of the caller are lost
    And the caller is in a call with the bot
    When the caller hangs up
    Then the fault "lost BYE" happens at least 2 times within 1 s
    And the call ends at the bot with "bye" within 2 s

  Scenario: A duplicated INVITE
    Given the caller sends its INVITE 5 times
    When the caller dials the bot
    Then the call is answered within 2 s
    And the fault "duplicated INVITE" happens at least 1 time within 1 s
    And the caller repeats its INVITE at least 4 times within 1 s

  Scenario: A delayed 200
    Given the bot sends its answer 800 ms late
    When the caller dials the bot
    Then the call is answered within 3 s
    And the fault "delayed 200" happens at least 1 time within 1 s

  Scenario: An answer without SDP
    Given the bot answers without a session description
    When the caller dials the bot
    Then the call ends at the caller with "ERR_SIP_DESCRIPTION_MISSING" within 3 s

  Scenario: An offer that nobody can accept
    Given the caller offers only an unknown codec
    When the caller dials the bot
    Then the call is refused as unsupported

  Scenario: A malformed INVITE
    Given the caller sends its INVITE with another SIP version
    When the caller dials the bot
    Then the call is rejected with 505

  Scenario: A malformed 180
    Given the bot sends its 180 as garbage
    When the caller dials the bot
    Then the call is answered within 2 s

  Scenario: A slow peer
    Given the bot sends every response 700 ms late
    When the caller dials the bot
    Then the caller repeats its INVITE at least 1 time within 3 s
    And the call is answered within 4 s
    When the caller hangs up
    Then the call ends at the bot with "bye" within 3 s

  Scenario: A storm
    Given the caller sends every SIP message 20 times
    And the bot sends every SIP message 20 times
    When the caller dials the bot
    Then the call is answered within 3 s
    When the caller hangs up
    Then the call ends at the bot with "bye" within 3 s
