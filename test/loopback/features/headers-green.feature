Feature: Headers and identity, as they are sent and received

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: Both sides say who they are
    Given the caller calls as "\"Ann Example\" <tel:+15550100>"
    And the caller asks for "tel:+15550199"
    And the caller addresses the call to "<tel:+15550199>"
    And the caller sends the header "Diversion: <sip:x@example.com>;reason=no-answer, <sip:z@example.com>"
    And the bot sends the header "P-Asserted-Identity: \"Bot\" <sip:bot@example.com>"
    When the caller dials the bot
    Then the call is answered within 2 s
    And the bot receives the URI "tel:+15550100" in the header "From" of the INVITE
    And the bot receives the display name "Ann Example" in the header "From" of the INVITE
    And the bot receives the URI "sip:z@example.com" in the header "Diversion" of the INVITE
    And the bot receives the header "Diversion" matching /reason=no-answer$/ in the INVITE
    And the bot receives no header "Privacy" in the INVITE
    And the caller receives the URI "sip:bot@example.com" in the header "P-Asserted-Identity" of the 200
    When the bot hangs up with the header "Reason: Q.850;cause=16"
    Then the BYE comes from the bot within 2 s
    And the caller receives the header "Reason" with "Q.850;cause=16" in the BYE

  Scenario: A caller that is not known, and is refused
    Given the caller withholds its identity
    And the bot sends every response 100 ms late
    And the bot refuses calls with 433 "Anonymity Disallowed"
    And the bot sends the header "X-Why: policy"
    When the caller dials the bot
    Then the call is rejected with 433 "Anonymity Disallowed"
    And the fault "slow peer" happens at least 1 time within 1 s
    And the bot receives the header "Privacy" with "id" in the INVITE
    And the bot receives the header "From" matching /anonymous\.invalid/ in the INVITE
    And the caller receives the header "X-Why" with "policy" in the 433
