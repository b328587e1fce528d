Feature: One lost packet, and all that wait behind it
  The same call twice, with the same losses on the way from the AI. Over TCP, as by WebSocket, what
  comes after a lost packet waits until that has been sent again; over UDP, as by WebRTC, it does not,
  and what was lost is concealed. Compare the two calls in the report: what the caller heard, when,
  and how often the bot's speech stalled. TCP is a model here, marked as such.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot's AI sends speech at 1 times real time
    And packets to the AI take 50 ms
    And packets from the AI take 50 ms
    And 5 % of the packets from the AI are lost

  Scenario: Over TCP the bot's speech stalls
    Given the AI is reached by modelled TCP
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    Then the bot is not interrupted
    When the caller hangs up
    Then something from the AI is held up for at least 100 ms
    And the bot's speech stalls at least 3 times
    And the network lost at least 1 % of the packets from the AI

  Scenario: Over UDP it goes on
    Given the AI is reached by UDP
    And the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    Then the bot is not interrupted
    And the caller hears "long"
    When the caller hangs up
    Then no stall of the bot's speech is longer than 60 ms
    And the bot's speech stalls at most 1 time
    And gaps in the bot's speech last at most 200 ms in all
    And the network lost at least 1 % of the packets from the AI
