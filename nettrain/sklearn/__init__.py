"""Estimators for scikit-learn (extra `sklearn`): every configuration as `fit` and `predict`.

from nettrain.sklearn import NettrainClassifier

classifier = NettrainClassifier(model__hidden=[64], optimizer__lr=0.01)
classifier.fit(X, y).score(X_test, y_test)
"""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError('scikit-learn is not installed: pip install "nettrain[sklearn]"')

from nettrain.sklearn.classifier import NettrainClassifier
from nettrain.sklearn.regressor import NettrainRegressor

__all__ = ["NettrainClassifier", "NettrainRegressor"]
