using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>BERT without a head in the folders of transformers: <c>BertModel</c>.</summary>
public static class BertPretrained
{
    private static readonly PretrainedFormat<Bert, BertConfig> Format = BertFormat.Bare;

    extension(Bert model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool)"/>
        /// <remarks>Files of models with a head are accepted: the head is ignored, and the model has a pooler if the file has one.</remarks>
        public static Bert FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
