using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>The classifier of tokens in the folders of transformers: <c>BertForTokenClassification</c>.</summary>
public static class BertForTokenClassificationPretrained
{
    private static readonly PretrainedFormat<BertForTokenClassification, BertConfig> Format = BertFormat.Classifier(
        "BertForTokenClassification", ["pooler.*"], config => new BertForTokenClassification(config), model => model.Config);

    extension(BertForTokenClassification model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool)"/>
        /// <remarks>The folder must contain the head. A pooler in the file is ignored.</remarks>
        public static BertForTokenClassification FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
