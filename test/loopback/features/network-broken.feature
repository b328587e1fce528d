Feature: Networks that cannot be
  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_NETWORK_UNKNOWN
    Given the caller is behind the network "carrier pigeon"

  Scenario: ERR_IMPAIRMENT, of a caller
    Given 120 % of the packets to the caller are lost
    When the caller dials the bot

  Scenario: ERR_IMPAIRMENT, of our bot
    Given 0.5 % of the packets to the bot are lost in bursts of 0.5

  Scenario: ERR_IMPAIRMENT, in a call
    Given the caller is in a call with the bot
    When packets 9 to 3 to the bot are lost

  Scenario: ERR_PLAYOUT_SETTINGS
    Given the bot's injection buffer holds back 20 s

  Scenario: ERR_IMPAIRMENT, of SIP
    Given 101 % of the SIP messages from the caller are lost
