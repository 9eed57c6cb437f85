# SPDX-License-Identifier: BSD-2-Clause
# Completion of physzone for bash.
_physzone()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words
	COMPREPLY=()
	case $prev in
	--model)
		words='linux-5.15 linux-6.1 linux-6.12'
		[[ ${COMP_WORDS[1]-} =~ ^(boot|predict)$ ]] && words+=' physzone all'
		;;
	--capture) words='kexec file' ;;
	--managed) words='recorded computed' ;;
	--dma-caches) words='always managed' ;;
	--coherent-pool) words='kernel documented proposed' ;;
	--sweep)
		words='ram= crashkernel= cma= swiotlb= coherent_pool='
		compopt -o nospace
		;;
	--mix)
		words='desktop kdump board'
		[[ ${COMP_WORDS[2]-} == tables ]] && words='media storage'
		compopt -o default
		;;
	--color | --cmdline | --boot | --width | --arch | --bits | --limit | --window | --kmalloc-dma | --memory | --seed | --reach | --cannot-reach | --cma | --fill | --pressure | --base | --table | --ttbr | --ias | --oas | --sizes) return ;;
	--endian) words='little big' ;;
	--svg | --trace | --root | --output)
		compopt -o default
		return
		;;
	*)
		case ${COMP_WORDS[1]-} in
		zones) words='--model --arch --cmdline --boot --live --capture --managed --json --lines --width --color= --help' ;;
		map) words='--model --arch --cmdline --boot --live --capture --managed --json --log --svg --width --color= --help' ;;
		low1m) words='--model --arch --cmdline --boot --live --json --width --color= --help' ;;
		explain) words='--model --arch --boot --live --why --rebuild --json --width --color= --help' ;;
		boot) words='--model --bits --limit --kmalloc-dma --dma-caches --coherent-pool --why --arch --cmdline --boot --live --capture --json --width --color= --help' ;;
		predict) words='--sweep --model --svg --bits --limit --kmalloc-dma --dma-caches --coherent-pool --arch --cmdline --boot --live --capture --json --width --color= --help' ;;
		reach) words='--model --bits --limit --window --arch --cmdline --boot --live --capture --json --width --color= --help' ;;
		devices) words='--bits --root --reach --cannot-reach --all --svg --json --width --color= --help' ;;
		swiotlb) words='--model --arch --boot --svg --json --width --color= --help' ;;
		waste) words='--model --arch --cmdline --all --json --width --color= --help' ;;
		compare)
			words='--memory --mix --seed --trace --limit --bits --svg --model --arch --cmdline --boot --live --capture --json --width --color= --help'
			[[ ${COMP_WORDS[2]-} != tables ]] && words="--cma $words"
			[[ ${COMP_WORDS[2]-} == tables ]] && words="--fill --pressure --keep --time $words"
			[[ $COMP_CWORD -eq 2 ]] && words="policies tables $words"
			;;
		iommu)
			words='--base --endian --ias --mtk --mtk-tables --no-perms --raw --svg --json --width --color= --help'
			[[ ${COMP_WORDS[2]-} != map ]] && words="--table --ttbr $words"
			[[ ${COMP_WORDS[2]-} != dump ]] && words="--output --oas --sizes --ns --coherent-walk $words"
			[[ $COMP_CWORD -eq 2 ]] && words="dump map $words"
			;;
		arch) words='--model --json --color= --help' ;;
		*) words='zones map arch low1m explain boot predict reach devices swiotlb waste compare iommu --help --version' ;;
		esac
		;;
	esac
	if [[ $COMP_CWORD -gt 1 && $cur != -* && ! "${COMP_WORDS[1]} $COMP_CWORD" =~ ^(compare|iommu)\ 2$ && $prev != --endian && $prev != --mix && $prev != --model && $prev != --capture && $prev != --managed && $prev != --dma-caches && $prev != --coherent-pool && $prev != --sweep ]]; then
		compopt -o default
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _physzone physzone
