Feature: Tools that are not what was asked for
  These scenarios must not pass; test/loopback/ai-features.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "test/loopback/scripts/concierge.yaml" and lets the caller speak first
    And an HTTP server stands in for "https://api.hotel.example"
    And the caller is in a call with the bot

  Scenario: ERR_HTTP_NOT_REQUESTED, another method
    When the caller says "What time is breakfast?"
    Then the bot requests "POST" "https://api.hotel.example/breakfast"

  Scenario: ERR_HTTP_NOT_REQUESTED, refused before it left
    When the caller says "Front desk, please."
    Then the bot requests "GET" "https://elsewhere.example/"

  Scenario: ERR_HTTP_BODY_DIFFERS
    When the caller says "Do you sell bicycles?"
    Then the bot requests "POST" "https://api.hotel.example/orders" with the body:
      """
      { "what": "boat" }
      """

  Scenario: ERR_TOOL_NOT_FINISHED, it fails
    When the caller says "Dial four two."
    Then the tool "send_dtmf" succeeds

  Scenario: ERR_TOOL_NOT_FINISHED, it succeeds
    When the caller says "What time is breakfast?"
    Then the tool "http_request" fails with "ERR_HTTP_NOT_PERMITTED"

  Scenario: ERR_TOOLS_NOT_PARALLEL
    When the caller says "What time is breakfast?"
    Then the bot runs 2 tools at once

  Scenario: ERR_TOOL_ORDER
    When the caller says "What time is breakfast?"
    Then the bot calls the tools "http_request, hangup_call" in order
