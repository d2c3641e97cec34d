using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>The classifier of texts in the folders of transformers: <c>BertForSequenceClassification</c>.</summary>
public static class BertForSequenceClassificationPretrained
{
    private static readonly PretrainedFormat<BertForSequenceClassification, BertConfig> Format = BertFormat.Classifier(
        "BertForSequenceClassification", [], config => new BertForSequenceClassification(config), model => model.Config);

    extension(BertForSequenceClassification model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool)"/>
        /// <remarks>The folder must contain the head. For a new head, load a <see cref="Bert"/> and copy its tensors.</remarks>
        public static BertForSequenceClassification FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
