Feature: Tools of the bot's AI, by either protocol

  Background:
    Given a bot that plays the script "test/loopback/scripts/concierge.yaml" and lets the caller speak first
    And an HTTP server stands in for "https://api.hotel.example"

  Scenario: The bot asks a server, and answers once that has answered
    Given the HTTP server answers "GET" "/breakfast" with 200 and '{"from":7}' after 300 ms
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot calls the tool "http_request" with:
      | method | GET |
    And the bot requests "GET" "https://api.hotel.example/breakfast"
    And the bot requests "GET" "https://api.hotel.example/breakfast?day=today"
    And the tool "http_request" succeeds
    And the bot answers within 3 s
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."

  Scenario: The bot sends something
    Given the HTTP server answers "POST" "/orders" with 201 and '{"id":1}'
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
    And the bot answers within 3 s
    And the caller hears "Sorry, I did not understand that. Could you say it again?"
