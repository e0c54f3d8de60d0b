"""What the paper claims and what this study's plan asks, each judged on the study's tables."""
