Feature: The network between caller and bot
  Telephone calls go over networks that lose packets, delay them and let them overtake each other. The
  caller must understand the bot all the same, and the report says how much had to be made up.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: Losses and jitter on the way to the caller
    Given 5 % of the packets to the caller are lost in bursts of 2
    And packets to the caller take 40 ms with 8 ms of jitter
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the bot hangs up within 6 s
    And the network lost at least 1 % of the packets to the caller
    And at most 15 % of the packets are lost
