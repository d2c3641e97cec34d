using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Loads and saves BERT without a head in the folder layout of transformers: <c>BertModel</c>.
/// </summary>
public static class BertPretrained
{
    private static readonly PretrainedFormat<Bert, BertConfig> Format = BertFormat.Bare;

    extension(Bert model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// Files of models with a head are accepted: the head is ignored, and the model has a pooler if the file has one.
        /// </remarks>
        public static Bert FromPretrained(string folder, bool mapped = true, string? key = null, int? vocabularySize = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                VocabularySize = vocabularySize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}

/// <summary>
/// Loads and saves the masked-language model in the folder layout of transformers: <c>BertForMaskedLM</c>.
/// </summary>
public static class BertForMaskedLanguageModelPretrained
{
    private static readonly PretrainedFormat<BertForMaskedLanguageModel, BertConfig> Format = BertFormat.MaskedLanguage;

    extension(BertForMaskedLanguageModel model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// Files of the pre-training model are accepted: their pooler and their next-sentence head are ignored.
        /// </remarks>
        public static BertForMaskedLanguageModel FromPretrained(string folder, bool mapped = true, string? key = null,
            int? vocabularySize = null, bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                VocabularySize = vocabularySize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}

/// <summary>
/// Loads and saves the text classifier in the folder layout of transformers:
/// <c>BertForSequenceClassification</c>.
/// </summary>
public static class BertForSequenceClassificationPretrained
{
    private static readonly PretrainedFormat<BertForSequenceClassification, BertConfig> Format = BertFormat.Classifier(
        "BertForSequenceClassification", [], config => new BertForSequenceClassification(config), model => model.Config);

    extension(BertForSequenceClassification model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of labels if the file's has another number or the file has
        /// none, such as a file of the encoder; a missing pooler is new too. The model's <c>LoadReport</c> says what is new.
        /// </remarks>
        public static BertForSequenceClassification FromPretrained(string folder, bool mapped = true, string? key = null,
            int? labels = null, bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}

/// <summary>
/// Loads and saves the token classifier in the folder layout of transformers:
/// <c>BertForTokenClassification</c>.
/// </summary>
public static class BertForTokenClassificationPretrained
{
    private static readonly PretrainedFormat<BertForTokenClassification, BertConfig> Format = BertFormat.Classifier(
        "BertForTokenClassification", ["pooler.*"], config => new BertForTokenClassification(config), model => model.Config);

    extension(BertForTokenClassification model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of labels if the file's has another number or the file has
        /// none; the model's <c>LoadReport</c> says what is new. A pooler in the file is ignored.
        /// </remarks>
        public static BertForTokenClassification FromPretrained(string folder, bool mapped = true, string? key = null,
            int? labels = null, bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}
