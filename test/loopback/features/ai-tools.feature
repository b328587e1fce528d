Feature: Tools of the bot's AI, by either protocol

  Background:
    Given a bot that plays the script "test/loopback/scripts/concierge.yaml" and lets the caller speak first
    And an HTTP server stands in for "https://api.hotel.example"

  Scenario: The bot asks a server, and answers once that has answered
    Given the HTTP server answers "GET /breakfast" with 200 and '{"from":7}'
    And the HTTP server takes 300 ms to answer
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot calls the tool "http_request" with:
      | method | GET |
    And the bot requests "GET" "https://api.hotel.example/breakfast"
    And the bot requests "GET" "https://api.hotel.example/breakfast?day=today"
    And the tool "http_request" succeeds
    And the bot answers within 6 s
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."

  Scenario: The bot sends something
    Given the HTTP server answers "POST /orders" with 201 and '{"id":1}'
    And the caller is in a call with the bot
    When the caller says "Do you sell bicycles?"
    Then the bot requests "POST" "https://api.hotel.example/orders" with the body:
      """
      { "what": "bicycle" }
      """
    And the tool "http_request" succeeds

  Scenario: A host that may not be asked is not, and the bot says that it is sorry
    Given the caller is in a call with the bot
    When the caller says "Front desk, please."
    Then the tool "http_request" fails with "ERR_HTTP_NOT_PERMITTED"
    And the bot answers within 3 s
    And the caller hears "I am sorry, nobody is free there. Can I help you?"

  Scenario: Wrong arguments go back to the AI, and no key is pressed
    Given the caller is in a call with the bot
    When the caller says "Dial four two."
    Then the tool "send_dtmf" fails with "ERR_TOOL_ARGUMENTS"
    And the bot's AI is told '"status":"error"' about the tool "send_dtmf"
    And the bot's AI is told "digits" about the tool "send_dtmf"
    And the bot answers within 3 s
    And the caller hears "Sorry, I did not understand that. Could you say it again?"

  Scenario: Two requests at once, and a goodbye that waits for both
    Given the HTTP server answers "GET /breakfast" with 200 and '{"from":7}'
    And the HTTP server answers "GET /weather" with 200 and '{"rain":true}'
    And the HTTP server takes 400 ms to answer
    And the caller is in a call with the bot
    When the caller says "Excuse me, may I ask something?"
    Then the bot runs 2 tools at once
    And the bot requests "GET" "https://api.hotel.example/breakfast"
    And the bot requests "GET" "https://api.hotel.example/weather"
    And the bot calls the tools "http_request, http_request, hangup_call" in order
    And the tool "http_request" succeeds
    And the tool "hangup_call" succeeds
    And the bot hangs up within 3 s

  Scenario: What is no JSON goes back to the AI, too
    Given the caller is in a call with the bot
    When the caller says "Tell me about the hotel."
    Then the tool "transfer_call" fails with "ERR_TOOL_ARGUMENTS"
    And the bot's AI is told '"status":"error"' about the tool "transfer_call"
    And the bot answers within 3 s
    And the caller hears "Sorry, I did not understand that. Could you say it again?"
