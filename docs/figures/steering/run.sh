#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The steering figures of docs/steering_report.md. For each topic neurons are chosen by relevance on TOPIC.select.txt against the other topics' such prompts, and
# tried on the prompts of TOPIC.txt; those of the other topics tell what changes elsewhere.
# Topic `labels` takes neurons by label in place of relevance, from the neuron store that STORE names, on prompts that leave the topic open; an animal's name
# (cats, dogs, hens, ...) those whose label by relevance (tokens-next) is that animal, on held-out prompts whose answer it is.
# Usage, from the repository's root: sh docs/figures/steering/run.sh PROGRAM [OUT [TOPIC...]]
set -eu
lrp=$1
here=docs/figures/steering
out=${2:-$here}
shift; [ $# = 0 ] || shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
report() { # topic title words
    for other in food weather travel colours pets; do
        [ $other = "$1" ] || { cat $here/$other.select.txt >>"$scratch/$1.against"; cat $here/$other.txt >>"$scratch/$1.neutral"; }
    done
    $lrp steer examples/models/mini --report --title "$2" --file $here/"$1".txt --top-relevant "${UNITS:-250}" --relevance-file $here/"$1".select.txt \
        --against-file "$scratch/$1.against" --neutral "$scratch/$1.neutral" --target-words "$3" --max-new-tokens 6 --random-sets 5 --threads 1 \
        --svg "$out/$1.svg" >"$out/$1.table.txt"
}
for topic in ${*:-food weather travel colours pets}; do
    case $topic in
        food) report food "Food: what it is eaten with" spoon,knife,bowl,plate,basket,fork,jar ;;
        weather) report weather "Weather: what to take" umbrella,gloves,jacket,hat,lamp,boots ;;
        travel) report travel "Travel: a city's country" France,Italy,Spain,Germany,Japan,Egypt,Peru,Norway ;;
        colours) report colours "Colours: what a mixture is" orange,green,purple,grey ;;
        labels)
            $lrp steer examples/models/mini --report --title "Colours, by label: paint, mixes, paints" --file $here/names.txt --temperature 1 --samples 8 --seed 1 \
                --store "${STORE:-mini.store}" --label "paint OR mixes OR paints" --target-words paint,paints,mixes --max-new-tokens 8 --random-sets 5 --threads 1 \
                --svg "$out/labels.svg" >"$out/labels.table.txt"
            ;;
        cats | dogs | birds | rabbits | horses | ducks | goats | sheep | mice | frogs | pigs | hens | turtles | parrots)
            grep "\"answer\": \" $topic\"" examples/models/heldout.jsonl | head -24 >"$scratch/$topic.jsonl"
            $lrp steer examples/models/mini --report --title "Pets, by label: $topic" --file "$scratch/$topic.jsonl" --store "${STORE:-mini.store}" --label-source tokens-next \
                --label $topic --target-words $topic --max-new-tokens 3 --random-sets 20 --threads 1 --svg "$out/$topic.svg" >"$out/$topic.table.txt"
            ;;
        pets) report pets "Pets: the other animal" cats,dogs,birds,rabbits,horses,ducks,goats,sheep,mice,frogs,pigs,hens,turtles,parrots ;;
    esac
done
