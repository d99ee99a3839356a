"""The moderators' desk: shows what there is and calls actions; decides nothing itself."""
