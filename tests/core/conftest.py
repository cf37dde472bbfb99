from bot.core import without_tensorflow

without_tensorflow.prepare()
