"""Boosted trees of XGBoost, LightGBM and CatBoost, in one shape, and their converter for a graph."""
